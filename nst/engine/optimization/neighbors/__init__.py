"""The nearest-neighbor loss: places of the picture are drawn to places of the paintings that are like the content's.

After Kolkin et al. 2022, "Neural Neighbor Style Transfer", section 3. At each place, `PLACE` px apart, the activations
of several layers are joined to one vector. Each vector of the content has a neighbor in a painting: of the vectors of
the painting, as it hangs and turned by quarter turns, the one with the highest cosine; the content's vectors are
centered by their mean, the painting's by theirs. The loss of a place is 1 less the cosine of the picture's vector with
that neighbor. Gram matrices know how often a stroke occurs and not where; this loss knows where.

Unlike there, neighbors are found once for a scale and for the content alone, in the colors of that painting: they
depend neither on the picture so far nor on the weights of a mix, so a run that goes on from a checkpoint has the same
ones. Of a large painting a random sample of vectors is searched, in a random projection.
"""
