"""What we read of a cloud-config, against what PyYAML reads, which cloud-init uses."""
