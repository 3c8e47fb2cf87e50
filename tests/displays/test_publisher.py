import itertools
import threading
import time
import weakref
from collections.abc import Callable
from datetime import timedelta

from docurift_nb.displays.publisher import CEILING_PER_S, CLOSING, GIVE_UP_AFTER, KEPT, TICK_S, Publisher
from docurift_nb.watcher import Snapshot
from tests.displays.snapshots import NOON, FakeWatch, make_final, make_snapshot

DEADLINE_S = 10.0


class Transport:
    """A view that writes down what it is asked to draw, and when."""

    interval_s = TICK_S

    def __init__(self, clock: Callable[[], float], *, cost: int = 1) -> None:
        self.cost = cost
        self._clock = clock
        self.drawn: list[tuple[float, Snapshot]] = []
        self.messages: list[tuple[float, int]] = []
        self.finals: list[float] = []
        self.closed = 0
        self.broken = False
        self.over = threading.Event()

    def update(self, snapshot: Snapshot) -> int:
        if self.broken:
            raise ConnectionError("the kernel's socket is gone")
        self.drawn.append((self._clock(), snapshot))
        self.messages.append((self._clock(), self.cost))
        return self.cost

    def finish(self, snapshot: Snapshot) -> int:
        sent = self.update(snapshot)
        self.finals.append(self._clock())
        self.over.set()
        return sent

    def close(self) -> int:
        self.closed += 1
        self.messages.append((self._clock(), CLOSING))
        return CLOSING


class Stage(Publisher):
    """A publisher without a thread, on a clock that moves by one tick at a time."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(clock=lambda: self.now)
        self._thread = threading.current_thread()

    def run(self, seconds: float) -> bool:
        left = True
        for _ in range(round(seconds / TICK_S)):
            self.now += TICK_S
            left = self.tick()
        return left

    def show(self, *snapshots: Snapshot, cost: int = 1) -> Transport:
        view = Transport(lambda: self.now, cost=cost)
        self.add(FakeWatch(snapshots), view, snapshots[0])
        return view


def _busy(n: int) -> list[Snapshot]:
    return [make_snapshot(n_ended=ended % 199) for ended in range(n)]


def test_nothing_is_sent_while_nothing_changes() -> None:
    """A snapshot that says the same costs no message."""
    stage = Stage()
    view = stage.show(make_snapshot())
    stage.run(20)
    assert not view.drawn


def test_ages_move_at_most_once_a_second() -> None:
    """A quiet watch goes on telling how old its numbers are, slowly."""
    stage = Stage()
    view = stage.show(*[make_snapshot(taken_at=NOON + timedelta(seconds=n * TICK_S)) for n in range(80)])
    stage.run(20)
    gaps = [b - a for (a, _), (b, _) in itertools.pairwise(view.drawn)]
    assert len(view.drawn) >= 15
    assert min(gaps) >= 1.0


def test_changes_are_coalesced_to_four_a_second() -> None:
    """However often the watch changes, a view is drawn four times a second with the newest state."""
    stage = Stage()
    view = stage.show(*_busy(1000))
    stage.run(10)
    assert len(view.drawn) in {39, 40}


def test_all_displays_share_one_ceiling() -> None:
    """A hundred displays, from their first frame to their closing, stay below the ceiling; none starves."""
    stage = Stage()
    views = [stage.show(*_busy(8), make_final(), cost=3) for _ in range(100)]
    stage.run(60)
    assert min(len(view.drawn) for view in views) >= 2
    assert not stage.run(600)
    sent = sorted(message for view in views for message in view.messages)
    busiest = max(sum(n for at, n in sent if start <= at < start + 1) for start, _ in sent)
    assert busiest <= CEILING_PER_S
    assert sum(view.closed for view in views) == 100 - KEPT


def test_the_last_frame_is_sent_twice() -> None:
    """The final state is drawn at once and again two seconds later, then the view is let go."""
    stage = Stage()
    view = stage.show(make_snapshot(), make_final())
    assert not stage.run(10)
    first, second = view.finals
    assert second - first >= 2
    assert view.drawn[-1][1] == make_final()


def test_a_watch_over_at_once_is_drawn_too() -> None:
    """A watch that ended between showing and the first tick still gets its final frames."""
    stage = Stage()
    view = stage.show(make_final())
    stage.run(5)
    assert len(view.finals) == 2


def test_errors_of_one_view_touch_no_other() -> None:
    """A view that cannot be drawn is counted, and the others go on."""
    stage = Stage()
    bad, good = stage.show(*_busy(100)), stage.show(*_busy(100))
    bad.broken = True
    stage.run(10)
    assert stage.errors > 0
    assert len(good.drawn) in {39, 40}


def test_a_view_recovers() -> None:
    """When the transport works again, the newest state is drawn."""
    stage = Stage()
    view = stage.show(*_busy(100), make_final())
    view.broken = True
    stage.run(3)
    view.broken = False
    stage.run(60)
    assert view.drawn[-1][1] == make_final()
    assert len(view.finals) == 2


def test_a_dead_transport_is_given_up_after_the_end() -> None:
    """A finished watch whose view can never be drawn does not keep the thread alive."""
    stage = Stage()
    view = stage.show(make_final())
    view.broken = True
    assert not stage.run(60)
    assert stage.errors == GIVE_UP_AFTER


def test_a_watch_that_fails_to_answer_is_survived() -> None:
    """An error in taking the snapshot is an error of that display alone."""

    class Broken(FakeWatch):
        def snapshot(self) -> Snapshot:
            if self.looks < 5:
                self.looks += 1
                raise RuntimeError("no snapshot now")
            return super().snapshot()

    stage = Stage()
    view = Transport(lambda: stage.now)
    stage.add(Broken([make_final()]), view, make_snapshot())
    stage.run(30)
    assert len(view.finals) == 2


def test_old_finished_views_are_closed() -> None:
    """The newest few finished views are kept for reloaded pages, older ones give back their widgets."""
    stage = Stage()
    views = [stage.show(make_final()) for _ in range(KEPT + 3)]
    stage.run(30)
    assert [view.closed for view in views] == [1, 1, 1] + [0] * KEPT


def test_a_view_that_cannot_be_closed_is_counted() -> None:
    """A widget whose kernel is gone does not stop the others from being closed."""

    class Stuck(Transport):
        def close(self) -> int:
            super().close()
            raise ConnectionError("the kernel's socket is gone")

    stage = Stage()
    views = [Stuck(lambda: stage.now) for _ in range(KEPT + 2)]
    for view in views:
        stage.add(FakeWatch([make_final()]), view, make_final())
    assert not stage.run(30)
    assert stage.errors == 2


def test_a_shown_watch_lives_until_it_is_over() -> None:
    """The publisher holds a live watch, and lets go of it at the end."""
    stage = Stage()
    watch = FakeWatch([*_busy(20), make_final()])
    alive = weakref.ref(watch)
    stage.add(watch, Transport(lambda: stage.now), make_snapshot())
    del watch
    stage.run(2)
    assert alive() is not None
    stage.run(10)
    assert alive() is None


def test_the_thread_ends_with_the_last_display() -> None:
    """The thread starts with the first display, ends with the last, and starts again when needed."""
    publisher = Publisher(clock=lambda: 50 * time.monotonic())
    threads = []
    for _ in range(2):
        view = Transport(lambda: 0.0)
        publisher.add(FakeWatch([make_snapshot(), make_final()]), view, make_snapshot())
        thread = publisher._thread
        assert thread is not None
        assert thread.daemon
        thread.join(DEADLINE_S)
        assert view.over.is_set()
        assert publisher._thread is None
        threads.append(thread)
    assert threads[0] is not threads[1]
