"""How optional packages are installed, in one wording."""


def how_to_install(extra: str) -> str:
    """Says how to install an extra of the package.

    Args:
        extra: Its name in `setup.py`.

    Returns:
        The command, and the one for a clone.
    """
    return (
        f"pip install 'keras-deeplab[{extra}]', or in a clone "
        f"pip install -e '.[{extra}]'"
    )
