"""A program that says nothing for a minute counts as gone; after a day its row is forgotten."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db.session import Database
from shared.programs import Heartbeat, ProgramKind, count_running, forget

KIND = ProgramKind.DELIVERER


def age(session: Session, **ago: float) -> None:
    session.execute(text("UPDATE programs SET seen_at = now() - :ago"), {"ago": timedelta(**ago)})


def test_what_says_nothing_is_gone_and_then_forgotten(fresh_database: Database) -> None:
    with fresh_database.begin() as session:
        Heartbeat(KIND, "killed:1").write(session)
        assert (count_running(session, KIND), count_running(session, ProgramKind.WORKER)) == (1, 0)
        age(session, seconds=61)
        assert (count_running(session, KIND), forget(session)) == (0, 0)
        Heartbeat(KIND, "killed:1").write(session)  # The next process of a container has the name of the one before.
        assert count_running(session, KIND) == 1
        age(session, hours=25)
        assert forget(session) == 1


def test_a_program_says_that_it_lives_now_and_then_and_takes_its_row_away(fresh_database: Database) -> None:
    sign = Heartbeat(KIND, "host:2")
    with fresh_database.begin() as session:
        sign.write(session)
        age(session, seconds=61)
        sign.write(session)  # Within seconds: not a statement for each claim.
        assert count_running(session, KIND) == 0
        sign.end(session)
        assert session.execute(text("SELECT count(*) FROM programs")).scalar_one() == 0
