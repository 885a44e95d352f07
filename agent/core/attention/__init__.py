"""Where the detector must look."""
