"""What is concluded from a drill's result. Pure: it asks no cluster and reads no clock."""
