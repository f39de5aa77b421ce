"""`python -m keras_deeplab`: the command line."""

from keras_deeplab.cli import main

if __name__ == "__main__":
    main()
