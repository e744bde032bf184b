"""`python app.py` to a page that answers, and to a warm worker. Each run starts with an empty data folder."""

from benchmarks.report import Number, others_load, report
from benchmarks.studio import studio

RUNS = 5


def main() -> None:
    load = others_load()
    page, warm = [], []
    for _ in range(RUNS):
        with studio() as new:
            page.append(new.seconds_until(new.page_answers))
            warm.append(new.seconds_until(new.worker_warm))
    numbers = [
        Number("python app.py to a page that answers", "s", tuple(page), at_most=5),
        Number("... to a warm worker", "s", tuple(warm)),
    ]
    report("startup", numbers, other_load=load)


if __name__ == "__main__":
    main()
