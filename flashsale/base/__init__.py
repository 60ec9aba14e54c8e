"""What knows neither Kubernetes nor the sale."""
