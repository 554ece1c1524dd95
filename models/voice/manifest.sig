{"key":"3c51b1c1844fa0ea","signature":"b+ppifz+1wHmj7gg3fVP3pd/YEz6TgVYSqfX4s52VkdOuNC/vVYPgx2U6My34InrRjBvHctmTSuO8+XWQfQnDQ=="}
