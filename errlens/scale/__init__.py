"""Divide the work into shards and hand them out; knows shard numbers, not tensors."""
