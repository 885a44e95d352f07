"""Two detectors compared on labelled pictures that neither was trained on: better, worse, or cannot tell."""
