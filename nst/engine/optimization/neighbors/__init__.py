"""The nearest-neighbor loss: draws each hypercolumn of a picture to those of the paintings most like the content's.

After Kolkin et al. 2022, "Neural Neighbor Style Transfer", section 3. A hypercolumn is the vector of the activations of
several layers at one position, every `NEIGHBOR_STRIDE` px. Each one of the content has a neighbor in a painting: of the
hypercolumns of the painting, as it hangs and turned by quarter turns, the one with the highest cosine; the content's
are centered by their mean, the painting's by theirs. The loss is 1 less the cosine of the picture's hypercolumn with
that neighbor. Gram matrices know how often a stroke occurs and not where; this loss knows where.

Unlike there, neighbors are found once for a scale and for the content alone, in the colors of that painting: they
depend neither on the picture so far nor on the weights of a mix, so a run that goes on from a checkpoint has the same
ones. Of a large painting a random sample of vectors is searched, in a random projection.
"""
