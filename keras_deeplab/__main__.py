"""`python -m keras_deeplab`: the command line.

Python imports the package before it runs this file, and with it Keras and its backend.
So even `--help` takes seconds, and the backend may print messages at its start, unlike
with `keras-deeplab` and `python -m keras_deeplab_cli`.
"""

from keras_deeplab_cli import main

if __name__ == "__main__":
    main()
