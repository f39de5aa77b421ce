"""`python -m keras_deeplab`: the command line."""

from keras_deeplab_cli import main

if __name__ == "__main__":
    main()
