"""OneSignal's limits as sliding windows; the time is always an argument."""

from collections import deque

CREATE_LIMIT = {"free": 150, "paid": 6_000}  # create and cancel share one bucket
VIEW_LIMIT = 10  # the documented limit is 1 a second "and up to 10 look-back requests"
SECOND = 1.0
MESSAGE_WINDOW_SECONDS = 900.0
MESSAGES_PER_SUBSCRIPTION = 10


class RateWindow:
    """Window of so many admissions in any 1,000 ms. Refused calls do not prolong the wait."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def is_admitted(self, at: float, limit: int) -> bool:
        times = self._times
        while times and times[0] <= at - SECOND:
            times.popleft()
        if len(times) >= limit:
            return False
        times.append(at)
        return True


class PeakWindow:
    """Highest number of calls received in any 1,000 ms."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self.peak = 0

    def add(self, at: float) -> None:
        times = self._times
        while times and times[0] <= at - SECOND:
            times.popleft()
        times.append(at)
        self.peak = max(self.peak, len(times))


class MessageWindow:
    """Messages delivered in any rolling 15 minutes."""

    def __init__(self) -> None:
        self._sent: deque[tuple[float, int]] = deque()
        self._total = 0

    def add(self, at: float, messages: int) -> int:
        self._sent.append((at, messages))
        self._total += messages
        while self._sent[0][0] <= at - MESSAGE_WINDOW_SECONDS:
            self._total -= self._sent.popleft()[1]
        return self._total

    def clear(self) -> None:
        self._sent.clear()
        self._total = 0


def is_over_message_limit(messages: int, subscribed: int) -> bool:
    return messages > MESSAGES_PER_SUBSCRIPTION * subscribed
