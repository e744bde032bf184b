"""The order of arrival of queued runs, in which those of one client are painted."""

from nst.jobs.storage.database import Database


def exchange(database: Database, first: str, second: str) -> None:
    """Give two runs each other's place in the order of arrival. Raises NstError."""
    with database.transaction() as connection:
        numbers = dict(connection.execute("SELECT id, number FROM runs WHERE id IN (?, ?)", (first, second)).fetchall())
        update = "UPDATE runs SET number = ? WHERE id = ?"
        for run_id, number in ((first, 0), (second, numbers[first]), (first, numbers[second])):  # numbers are unique
            connection.execute(update, (number, run_id))
