"""What moves the features and predictions of a network, and which class breaks first."""
