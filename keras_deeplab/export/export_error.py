"""What went wrong with an export."""


class ExportError(ValueError):
    """An exported model that is not what it should be; nothing was written."""
