// A photo from the camera, in a dialog.

// Gives a PNG of what the camera saw, or null if it was not to be taken.
export async function takePhoto(dialog, video, take, cancel) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: {facingMode: 'environment'},
  });
  video.srcObject = stream;
  dialog.showModal();
  try {
    const wanted = await new Promise((decide) => {
      take.onclick = () => decide(true);
      cancel.onclick = () => decide(false);
      // As by the key Escape.
      dialog.onclose = () => decide(false);
    });
    return wanted && video.videoWidth ? await frameOf(video) : null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    dialog.close();
  }
}

async function frameOf(video) {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  return new Promise((done) => canvas.toBlob(done));
}
