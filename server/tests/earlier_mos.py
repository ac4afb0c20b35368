"""A database as an earlier MOS left it behind: its tables, and rows as its screens wrote them."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

SCHEMA = """
CREATE TABLE app_user (
  id uuid PRIMARY KEY,
  email varchar(255) NOT NULL UNIQUE,
  display_name varchar(255) NOT NULL,
  password_hash varchar(255) NOT NULL,
  phone varchar(20),
  user_type varchar(20) NOT NULL DEFAULT 'RESIDENT',
  is_active boolean NOT NULL DEFAULT true,
  last_login_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE reminder (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
  time_at timestamptz,
  category varchar(40) NOT NULL,
  note text,
  type varchar(20) NOT NULL DEFAULT 'once',
  recurrence jsonb,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE meal_requirement (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
  type varchar(40) NOT NULL,
  notes text,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE user_permissions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
  permission_name varchar(50) NOT NULL,
  is_enabled boolean NOT NULL DEFAULT true,
  granted_by uuid REFERENCES app_user,
  granted_at timestamp NOT NULL DEFAULT now(),
  UNIQUE (user_id, permission_name));
CREATE TABLE user_assignments (
  id uuid PRIMARY KEY,
  caregiver_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
  caretaker_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
  assigned_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (caregiver_id, caretaker_id));
"""
# What a hash looked like; it must never be seen again.
HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"


class EarlierMos:
    """Writes rows as the earlier MOS did, through the connection of whoever owns the tables."""

    def __init__(self, connection):
        self.connection = connection
        self._rows = 0

    async def user(self, name, kind="RESIDENT", *, email=None, phone=None, active=True, known=None):
        new = known or uuid4()
        email = email or f"{name.split()[0].lower()}@home.example"
        await self._add("app_user", id=new, email=email, display_name=name, password_hash=HASH,
                        phone=phone, user_type=kind, is_active=active,
                        created_at=self._later())  # fmt: skip
        return new

    async def may(self, user, *permissions, enabled=True):
        for permission in permissions:
            await self._add("user_permissions", id=uuid4(), user_id=user,
                            permission_name=permission, is_enabled=enabled)  # fmt: skip

    async def cares(self, caregiver, resident):
        await self._add("user_assignments", id=uuid4(), caregiver_id=caregiver,
                        caretaker_id=resident, assigned_at=self._later())  # fmt: skip

    async def once(self, user, category, at, note=None):
        await self._add("reminder", id=uuid4(), user_id=user, category=category, time_at=at,
                        note=note, type="once", created_at=self._later())  # fmt: skip

    async def weekly(self, user, category, days, times, note=None, *, kind="recurring"):
        recurrence = json.dumps({"days": days, "times": times})
        await self._add("reminder", id=uuid4(), user_id=user, category=category, note=note,
                        type=kind, recurrence=recurrence, created_at=self._later())  # fmt: skip

    async def diet(self, user, text):
        await self._add("meal_requirement", id=uuid4(), user_id=user, type="OTHER", notes=text,
                        created_at=self._later())  # fmt: skip

    async def as_delivered(self):
        """Write the accounts and reminders with which every earlier MOS came."""
        people = [
            ("admin@mos.test", "System Administrator", "ADMIN"),
            ("caregiver1@mos.test", "Anna Andersson", "CAREGIVER"),
            ("caregiver2@mos.test", "Erik Eriksson", "CAREGIVER"),
            ("resident1@mos.test", "Maria Svensson", "RESIDENT"),
            ("resident2@mos.test", "Lars Larsson", "RESIDENT"),
            ("resident3@mos.test", "Ingrid Johansson", "RESIDENT"),
            ("inactive@mos.test", "Inactive User", "RESIDENT"),
        ]
        ids = [UUID(f"550e8400-e29b-41d4-a716-44665544000{n}") for n in range(1, 8)]
        for each, (email, name, kind) in zip(ids, people, strict=True):
            await self.user(name, kind, email=email, known=each, active=name != "Inactive User")
            await self.may(each, "CREATE_REMINDERS", "VIEW_REMINDERS")
        for caregiver, resident in ((1, 3), (1, 4), (2, 5)):
            await self.cares(ids[caregiver], ids[resident])
        every_day = ["Måndag", "Tisdag", "Onsdag", "Torsdag", "Fredag", "Lördag", "Söndag"]
        await self.once(ids[3], "MEAL", datetime(2025, 9, 17, 10, tzinfo=UTC), "Lunch")
        await self.once(ids[3], "MEETING", datetime(2025, 9, 18, 7, 30, tzinfo=UTC), "Möte")
        await self.weekly(ids[3], "MEAL", every_day, ["08:00"], "Frukost varje dag")
        await self.weekly(ids[3], "MEDICATION", ["Måndag", "Onsdag"], ["07:00", "19:00"], None)
        return ids

    def _later(self):
        self._rows += 1
        return datetime(2025, 10, 1, 12, 0, self._rows % 60, tzinfo=UTC)

    async def _add(self, table, **row):
        names = ", ".join(row)
        holes = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({holes})",
            *row.values(),
        )
