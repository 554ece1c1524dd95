"""Why a text file could not be read, in plain words."""


def unread(error: Exception) -> str:
    """The fact, without the file's name: that it is no text, the system's reason, or what its reader said."""
    if isinstance(error, UnicodeDecodeError):
        return "is no UTF-8 text"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"
