"""`make bench`: what measuring costs, as ratios of one run, because the machine is shared and noisy."""
