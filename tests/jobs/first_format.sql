-- A store of the first format, with one finished run, as the program of that time wrote it.
BEGIN TRANSACTION;
CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id),
    n INTEGER NOT NULL,                         -- 1, 2, ... without a gap
    event TEXT NOT NULL,                        -- JSON
    PRIMARY KEY (run, n)
) WITHOUT ROWID;
INSERT INTO "events" VALUES('04d1404c8ae9422e9362fa3d4a9b3acf',1,'{"n": 1, "time": 1796146824.888712, "kind": "queued"}');
INSERT INTO "events" VALUES('04d1404c8ae9422e9362fa3d4a9b3acf',2,'{"n": 2, "time": 1796146824.8973846, "kind": "started", "extractor": "compact", "note": "VGG19 is not installed.", "width": 128, "height": 96, "epochs": 1, "steps": 10, "precision": "float32", "tiled": false}');
INSERT INTO "events" VALUES('04d1404c8ae9422e9362fa3d4a9b3acf',3,'{"n": 3, "time": 1796146824.898586, "kind": "epoch", "epoch": 0, "step": 0, "losses": {"total": 6.0, "content": 1.0, "style": 2.0, "tv": 3.0}, "width": 128, "height": 96, "seconds": 0.0, "steps_per_second": 20.0, "seconds_left": 0.0, "frame": 0}');
INSERT INTO "events" VALUES('04d1404c8ae9422e9362fa3d4a9b3acf',4,'{"n": 4, "time": 1796146824.8992171, "kind": "epoch", "epoch": 1, "step": 10, "losses": {"total": 6.0, "content": 1.0, "style": 2.0, "tv": 3.0}, "width": 128, "height": 96, "seconds": 1.5, "steps_per_second": 20.0, "seconds_left": 0.0, "frame": 1}');
INSERT INTO "events" VALUES('04d1404c8ae9422e9362fa3d4a9b3acf',5,'{"n": 5, "time": 1796146824.8999648, "kind": "finished", "seconds": 1.5}');
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- the order of arrival
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,                        -- also in `run`; here to be searched
    run TEXT NOT NULL                           -- Run.to_json
);
INSERT INTO "runs" VALUES(1,'04d1404c8ae9422e9362fa3d4a9b3acf','finished','{"id": "04d1404c8ae9422e9362fa3d4a9b3acf", "created": 1796146824.888328, "options": {"epochs": 1, "size": 128, "strength": 1.0, "extractor": "auto", "seed": 7, "init": "noise", "keep_colors": false, "style_scale": 1.0, "content_weight": null, "style_weight": null, "tv_weight": null, "normalisation": "relative", "preset": "studio", "content_layers": null, "style_layers": null, "pooling": "auto", "optimizer": "lbfgs", "learning_rate": 0.03, "steps_per_epoch": 5, "precision": "auto"}, "content": "6e569e05cb6f8608572c79d63b365dc31617bf84d7393d2cb9d2f1ffe0edf95b", "style": "d0cda1ba3c15d55b4e1b43983328db6ecf9422ae2be988f6ee54510e4c989887", "init": null, "state": "finished", "epoch": 1, "epochs": 1, "frames": 2, "losses": {"total": 6.0, "content": 1.0, "style": 2.0, "tv": 3.0}, "extractor": "compact", "note": "VGG19 is not installed.", "precision": "float32", "tiled": false, "width": 128, "height": 96, "error": "", "seconds": 1.5, "seconds_left": 0.0, "steps_per_second": 20.0, "last": 5, "has_result": true}');
CREATE TABLE uploads (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "uploads" VALUES('6e569e05cb6f8608572c79d63b365dc31617bf84d7393d2cb9d2f1ffe0edf95b','Käthe.jpg');
INSERT INTO "uploads" VALUES('d0cda1ba3c15d55b4e1b43983328db6ecf9422ae2be988f6ee54510e4c989887','waves.png');
CREATE INDEX runs_by_state ON runs (state);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',1);
COMMIT;
PRAGMA user_version = 1;
