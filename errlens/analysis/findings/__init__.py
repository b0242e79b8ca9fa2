"""Why a model is wrong: findings, ranked by the errors they explain."""
