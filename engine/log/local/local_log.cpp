// The embedded log lives here.
