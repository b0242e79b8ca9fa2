"""How far the features and predictions of a network move when a photo is transformed."""
