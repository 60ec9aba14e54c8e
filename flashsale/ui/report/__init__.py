"""Reports of a drill and of a comparison, as pages and as Markdown, from their JSON documents."""
