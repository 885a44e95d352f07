"""What models found, counted: matching, AP50, intervals, and the comparison of two models on one set."""
