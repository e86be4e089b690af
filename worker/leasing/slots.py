"""How many chunks may be at work at a time."""

import threading


class Slots:
    """So many at a time; nobody waits for one."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Those in use now."""
        return self._taken

    def take(self) -> bool:
        """Take one; ``False`` when none is free."""
        with self._lock:
            if self._taken == self.count:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """Give one back that was taken."""
        with self._lock:
            self._taken -= 1
