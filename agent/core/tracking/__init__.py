"""Who is it: detections of single pictures to tracks over time."""
