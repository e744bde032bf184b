"""Fast styles: their files, the library of them, and the folder and report of a training."""
