"""What a server process has loaded, and the end of its worker and what is left of both when it is killed."""

import json
import subprocess
import sys
from pathlib import Path

import psutil

SERVE = """
import json, sys, tempfile, time
from pathlib import Path
from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool.workers import WorkerFunctions
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions

if __name__ == "__main__":
    store = Store(Path(sys.argv[1]))
    names = (f"tests.jobs.runners:{name}" for name in ("paint", "warm_up", "fetch"))
    queue = Queue(Settings(), store, WorkerFunctions(*names))
    queue.start()
    picture = store.put_upload(b"picture")
    run = store.create(StyleOptions(epochs=2), picture, picture)
    queue.submit(run)
    while not store.run(run.id).state.ended:
        time.sleep(0.01)
    print(json.dumps({"state": store.run(run.id).state, "worker": queue.health()["pid"], "loaded": list(sys.modules)}))
    sys.stdout.flush()
    time.sleep(60)
"""


def test_a_server_does_not_load_what_its_worker_calls_and_the_worker_ends_with_a_killed_server(tmp_path: Path) -> None:
    script, temporary = tmp_path / "serve.py", tmp_path / "temporary"
    temporary.mkdir()
    script.write_text(SERVE)
    server = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path), "TMPDIR": str(temporary)},
    )
    try:
        assert server.stdout is not None
        said = json.loads(server.stdout.readline())
        worker = psutil.Process(said["worker"])
    finally:
        server.kill()
        server.communicate()
    assert said["state"] == "finished"
    assert not {"tensorflow", "keras", "dash", "tests", "nst.worker.runner", "nst.engine"} & set(said["loaded"])
    worker.wait(timeout=30)
    assert not worker.is_running()
    left = {path.name: path.stat().st_size for path in temporary.rglob("*") if path.is_file()}
    assert set(left.values()) <= {0}, left  # of Dask's locks, which its next start removes: no key, and no picture
    assert all(name.endswith("lock") for name in left)
