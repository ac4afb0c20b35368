"""SMS through a gateway: 46elks, Twilio, or one of one's own."""

from mos.dispatch.channels.sms.sender import Sms, SmsSettings

__all__ = ["Sms", "SmsSettings"]
