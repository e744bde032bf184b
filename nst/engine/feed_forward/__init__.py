"""Neural style transfer in one pass: the image transformation network and its styles."""
