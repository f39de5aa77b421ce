"""The files of `examples/serving`, read by what they are made for."""

import pathlib
import re
from typing import Any

import kubernetes_validate
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.export.serving.server_messages import server_message

ROOT = pathlib.Path(__file__).parents[3]
SERVING = ROOT / "examples" / "serving"
MANIFESTS = sorted(path.name for path in (SERVING / "kubernetes").iterdir())

# The flags of tensorflow_model_server that are used, from its main.cc.
FLAGS = {
    "batching_parameters_file",
    "enable_batching",
    "enable_grpc_healthcheck_service",
    "enable_per_model_batching_parameters",
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "monitoring_config_file",
    "rest_api_timeout_in_ms",
}
# Of tensorflow_serving/servables/tensorflow/util.cc, as its Prometheus page names them.
METRICS = {
    ":tensorflow:serving:request_count",
    ":tensorflow:serving:request_latency_bucket",
}


def parsed(name: str, message: Any) -> Any:
    return text_format.Parse((SERVING / name).read_text(), message)


def loaded(name: str) -> Any:
    return yaml.safe_load((SERVING / name).read_text())


def test_models_config_names_a_versioned_folder() -> None:
    config = parsed("models.config", model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("street", "/models/street")
    assert model.model_platform == "tensorflow"


def test_monitoring_config_is_where_prometheus_looks() -> None:
    config = parsed("monitoring.config", server_message("MonitoringConfig"))
    assert config.prometheus_config.enable
    (scrape,) = loaded("prometheus/prometheus.yml")["scrape_configs"]
    assert scrape["metrics_path"] == config.prometheus_config.path
    (target,) = scrape["static_configs"][0]["targets"]
    assert target == "serving:8501"


def test_batching_parameters_fit_each_other() -> None:
    batching = parsed("batching.txt", server_message("BatchingParameters"))
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(sizes)
    assert sizes[-1] == batching.max_execution_batch_size.value
    assert batching.max_batch_size.value >= sizes[-1]


def test_compose_file_mounts_what_the_flags_name() -> None:
    compose = loaded("docker-compose.yml")
    services = compose["services"]
    assert {name: row["profiles"] for name, row in services.items()} == {
        "serving": ["cpu"],
        "serving-gpu": ["gpu"],
        "prometheus": ["monitoring"],
    }
    for service in services.values():
        for volume in service["volumes"]:
            source = volume.rsplit(":", 2)[0]
            # The models are the user's own.
            assert source.startswith("${MODELS:-") or (SERVING / source).exists()
    for name in ("serving", "serving-gpu"):
        targets = [volume.split(":")[-2] for volume in services[name]["volumes"]]
        check_flags(services[name]["command"], targets)
    (device,) = services["serving-gpu"]["deploy"]["resources"]["reservations"][
        "devices"
    ]
    assert device["capabilities"] == ["gpu"]


def check_flags(flags: list[str], files: list[str]) -> None:
    given = dict(flag.removeprefix("--").split("=") for flag in flags)
    assert set(given) == FLAGS
    assert {value for value in given.values() if "/" in value} <= set(files)


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest_is_one_of_kubernetes(name: str) -> None:
    manifest = loaded(f"kubernetes/{name}")
    kubernetes_validate.validate(manifest, "1.34", strict=True)
    manifest["spec"]["no_such_field"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, "1.34", strict=True)


@pytest.mark.parametrize("name", ["deployment", "deployment-gpu"])
def test_deployment_fits_service_volume_and_scaler(name: str) -> None:
    deployment = loaded(f"kubernetes/{name}.yaml")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    files = [f"/etc/serving/{path.name}" for path in SERVING.iterdir()]
    check_flags(container["args"], files)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["grpc"]["port"] == ports["grpc"]
    service = loaded("kubernetes/service.yaml")["spec"]
    assert service["selector"].items() <= labels.items()
    assert {port["targetPort"] for port in service["ports"]} == set(ports)
    claim = loaded("kubernetes/models-claim.yaml")["metadata"]["name"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim


def test_gpu_variant_differs_by_its_gpu_alone() -> None:
    flags = [
        loaded(f"kubernetes/{name}.yaml")["spec"]["template"]["spec"]["containers"][0]
        for name in ("deployment", "deployment-gpu")
    ]
    assert flags[0]["args"] == flags[1]["args"]
    assert flags[0]["args"] == loaded("docker-compose.yml")["x-serving"]["command"]
    assert flags[1]["image"] == f"{flags[0]['image']}-gpu"
    assert flags[1]["resources"]["limits"]["nvidia.com/gpu"] == 1
    scaled = loaded("kubernetes/autoscaler.yaml")["spec"]["scaleTargetRef"]
    assert scaled["name"] == loaded("kubernetes/deployment.yaml")["metadata"]["name"]


def test_alerts_ask_for_metrics_that_there_are() -> None:
    (name,) = loaded("prometheus/prometheus.yml")["rule_files"]
    (group,) = loaded(f"prometheus/{name}")["groups"]
    for rule in group["rules"]:
        assert {"alert", "expr", "for", "labels", "annotations"} == set(rule)
        assert set(re.findall(r":[a-z:_]+", rule["expr"])) <= METRICS
        assert rule["expr"].count("(") == rule["expr"].count(")")
