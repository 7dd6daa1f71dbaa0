"""What only some people want, as transforms: functions that change resources on their way to Pulumi."""
