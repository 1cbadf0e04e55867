"""Rows of OneSignal's player export."""

from __future__ import annotations

HEADER = (
    "id,identifier,session_count,language,timezone,device_type,tags,last_active,created_at,"
    "invalid_identifier,notification_types,external_user_id\n"
)


def export_row(player: str, **fields: str) -> str:
    tags = fields.get("tags", '"{""city"":""Brno""}"')
    kind, login = fields.get("device", "5"), fields.get("login", "")
    return f"{player},token,1,cs,3600,{kind},{tags},1756800000,1700000000,f,1,{login}\n"
