"""What keys do in `watch`: where the cursor goes, and what is done to the pod under it."""
