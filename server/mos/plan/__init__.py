"""The day: reminders, recurrence, outcomes. Decides; never sends."""
