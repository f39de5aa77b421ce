"""The one error of getting a file here and unpacking it."""


class DownloadError(OSError):
    """A file cannot be had, is not the file it should be, or cannot be unpacked.

    An `OSError`, because the cause lies outside the program (a network, a disk, what
    a server sent), and because whoever reads files already expects one.
    """
