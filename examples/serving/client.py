"""Asks TensorFlow Serving for the labels of a photo; writes them and a picture.

    python examples/serving/client.py PHOTO --server localhost:8501
    python examples/serving/client.py PHOTO --server localhost:8500 --grpc

Needs `pip install 'PATH_OF_THE_CLONE[serving]'`. Writes `PHOTO.labels.png`, one label a
pixel, and `PHOTO.overlay.png`. `README.md` tells how to start the server.
"""

import argparse
import base64
import http.client
import io
import json
import pathlib
import urllib.error
import urllib.request
from collections.abc import Sequence

from PIL import Image

from keras_deeplab import inference

SIGNATURE, PHOTO, LABELS = "serve_bytes", "image_bytes", "labels_bytes"
SECONDS = 60
# gRPC refuses messages above 4 MB by default; a photo may be larger.
MESSAGE_BYTES = 64 << 20
_EXIF_ORIENTATION, _UPRIGHT = 0x0112, 1
_PNG = b"\x89PNG\r\n\x1a\n"


class ServingError(RuntimeError):
    """The server's answer is an error or makes no sense, or there is none."""


def upright_file(path: pathlib.Path) -> bytes:
    """The file, as it is if the server reads it and its pixels are not turned."""
    with Image.open(path) as image:
        turned = image.getexif().get(_EXIF_ORIENTATION, _UPRIGHT) != _UPRIGHT
        if image.format in ("JPEG", "PNG") and not turned:
            return path.read_bytes()
    file = io.BytesIO()
    Image.fromarray(inference.read_photo(path)).save(file, "PNG")
    return file.getvalue()


def ask_rest(server: str, model: str, photo: bytes) -> bytes:
    """The PNG file of a photo's labels, from the REST interface."""
    instance = {PHOTO: {"b64": base64.b64encode(photo).decode()}}
    request = urllib.request.Request(
        f"http://{server}/v1/models/{model}:predict",
        json.dumps({"signature_name": SIGNATURE, "instances": [instance]}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        content = _answer(request)
    # What is cut short is no OSError.
    except (OSError, http.client.HTTPException) as error:
        raise ServingError(
            f"{server} does not answer, or not to the end: {error}"
        ) from error
    try:
        (prediction,) = json.loads(content)["predictions"]
        return _checked(base64.b64decode(prediction["b64"], validate=True))
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise ServingError(
            f"{server} answers with something else than labels: {content[:200]!r}"
        ) from error


def _answer(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise ServingError(error.read().decode(errors="replace")) from error


def _checked(file: bytes) -> bytes:
    if not file.startswith(_PNG):
        raise ValueError("The answer is no PNG file.")
    return file


def ask_grpc(server: str, model: str, photo: bytes) -> bytes:
    """The PNG file of a photo's labels, from the gRPC interface."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest(output_filter=[LABELS])
    request.model_spec.name, request.model_spec.signature_name = model, SIGNATURE
    request.inputs[PHOTO].CopyFrom(tf.make_tensor_proto([photo]))
    limits = [
        ("grpc.max_send_message_length", MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ]
    with grpc.insecure_channel(server, limits) as channel:
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            answer = service.Predict(request, timeout=SECONDS)
        except grpc.RpcError as error:
            told = f"{error.code().name}: {error.details()}"
            raise ServingError(told) from error
    try:
        return _checked(tf.make_ndarray(answer.outputs[LABELS])[0])
    except (IndexError, TypeError, ValueError) as error:
        raise ServingError(
            f"{server} answers with something else than labels: {error}"
        ) from error


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=pathlib.Path)
    parser.add_argument("--server", default="localhost:8501", metavar="HOST:PORT")
    parser.add_argument("--grpc", action="store_true", help="instead of REST")
    parser.add_argument("--model", default="street", help="its name at the server")
    parser.add_argument("--classes", type=pathlib.Path, help="names, one a line")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path())
    arguments = parser.parse_args(argv)

    ask = ask_grpc if arguments.grpc else ask_rest
    try:
        file = ask(arguments.server, arguments.model, upright_file(arguments.photo))
    except ServingError as error:
        parser.exit(1, f"{error}\n")
    names = arguments.classes.read_text().splitlines() if arguments.classes else None
    arguments.out.mkdir(parents=True, exist_ok=True)
    labels, overlay = (
        arguments.out / f"{arguments.photo.stem}.{kind}.png"
        for kind in ("labels", "overlay")
    )
    labels.write_bytes(file)
    picture = inference.draw_overlay(
        inference.read_photo(arguments.photo), inference.read_labels(labels), names
    )
    picture.save(overlay)
    print(f"{labels}\n{overlay}")


if __name__ == "__main__":
    main()
