{"key":"c0c6abed4700bf4f","signature":"KsYkb/7mzKgSMxvKzegYAXNAJtJ88+nvQsZ/RteNHBXpOH9XzRfMWZpxFcyaAwuVRvQfYFYw3/05DAq2OGpuDw=="}
