"""What officers made of alerts, as labels to train and judge a detector with."""
