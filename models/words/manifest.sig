{"key":"a8b601615b9c2b63","signature":"cLzJ50+tE9a3qEsA5EOs0E5gGZc8XXh0+iFo3WKTjdA5ctjJgVSxmdWfzhcxIHCqmSzGBxlg7GBmKqnkskZABg=="}
