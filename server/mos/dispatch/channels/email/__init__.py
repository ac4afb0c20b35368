"""E-mail: one message to one address through an SMTP server, always encrypted on the way."""

from mos.dispatch.channels.email.sender import Email, EmailSettings

__all__ = ["Email", "EmailSettings"]
