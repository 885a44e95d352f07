"""The report of a judgement as one HTML file, for a screen and for paper."""
