"""`python -m keras_deeplab_cli`: the command line, exactly as `keras-deeplab`."""

from keras_deeplab_cli import main

if __name__ == "__main__":
    main()
