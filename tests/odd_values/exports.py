"""Exports of OneSignal's: a subscription under the names and values of several tools."""

from __future__ import annotations

BAD = "bad"  # the row is refused: who unsubscribed must not come in as subscribed
APP = "not_web_push"
# Columns of one row, and the state that it has.
STATES: list[tuple[dict[str, str], str]] = [
    ({}, "subscribed"), ({"notification_types": "1"}, "subscribed"),
    ({"notification_types": "1.0"}, "subscribed"),
    ({"notification_types": "31"}, "subscribed"), ({"notification_types": "-2"}, "unsubscribed"),
    ({"notification_types": "-2.0"}, "unsubscribed"), ({"notification_types": "0"}, "unsubscribed"),
    ({"notification_types": "0.0"}, "unsubscribed"), ({"notification_types": "-31"}, "unsubscribed"),
    ({"notification_types": "-1000"}, "unsubscribed"), ({"notification_types": "nan"}, "subscribed"),
    ({"notification_types": "None"}, "subscribed"), ({"notification_types": "x"}, BAD),
    ({"notification_types": "1.5"}, BAD), ({"notification_types": "true"}, BAD),
    ({"subscribed": "Yes"}, "subscribed"), ({"subscribed": "true"}, "subscribed"),
    ({"subscribed": "1"}, "subscribed"),
    ({"subscribed": "1.0"}, "subscribed"), ({"subscribed": "No"}, "unsubscribed"),
    ({"subscribed": "NO"}, "unsubscribed"),
    ({"subscribed": "False"}, "unsubscribed"), ({"subscribed": "0"}, "unsubscribed"),
    ({"subscribed": "0.0"}, "unsubscribed"),
    ({"subscribed": "f"}, "unsubscribed"), ({"subscribed": '"No"'}, "unsubscribed"),
    ({"subscribed": "Unsubscribed"}, "unsubscribed"),
    ({"subscribed": "perhaps"}, BAD), ({"subscribed": "nan"}, "subscribed"),
    ({"subscribed": "Yes", "notification_types": "-2"}, "unsubscribed"),
    ({"subscribed": "No", "notification_types": "1"}, "unsubscribed"),
    ({"subscribed": "", "subscription_status": "Opted out"}, "unsubscribed"),
    ({"invalid_identifier": "t"}, "invalid"), ({"invalid_identifier": "True"}, "invalid"),
    ({"invalid_identifier": "1.0"}, "invalid"), ({"invalid_identifier": "f"}, "subscribed"),
    ({"invalid_identifier": "false"}, "subscribed"), ({"invalid_identifier": "?"}, BAD),
    ({"invalid_identifier": "t", "subscribed": "No"}, "unsubscribed"),
]  # fmt: skip
# Of a device's column: the browser's name, "" where it isn't known, or APP.
DEVICES: list[tuple[str, str]] = [
    ("5", "Chrome"), ("5.0", "Chrome"), ("8", "Firefox"), ("7", "Safari"), ("17", "Safari"),
    ("12", "Edge"),
    ("Web Push (Chrome)", "Chrome"), ("Web Push (Firefox)", "Firefox"), ("web push (safari)", "Safari"),
    ("Web Push (Edge)", "Edge"), ("Web Push", ""), ("Web Push (Opera)", ""), ("ChromePush", "Chrome"),
    ("SafariLegacyPush", "Safari"), ('"ChromePush"', "Chrome"), ("", ""), ("nan", ""), ("NULL", ""),
    ("0", APP),
    ("1.0", APP), ("11", APP), ("14", APP), ("iOSPush", APP), ("AndroidPush", APP), ("Email", APP),
    ("SMS", APP),
    ("Mobile Push (iOS)", APP), ("Push", APP), ("macOSPush", APP), ("99", APP),
]  # fmt: skip
ABSENT = [
    "", " ", "nan", "NaN", "NAN", "null", "NULL", "None", "none", '""', "''", "undefined", "NaT", "<NA>",
    "\\N", "#N/A", "(null)", "nil",
]  # fmt: skip
