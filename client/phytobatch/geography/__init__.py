"""Files beside the images that say where they were taken. The server reads them; here they are found and sent."""
