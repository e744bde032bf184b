"""Neural style transfer by optimization: losses, objective, optimizers, and the loop."""
