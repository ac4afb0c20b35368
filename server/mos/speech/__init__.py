"""What is planned, said aloud: by a voice of the server, where a device has none of its own."""
