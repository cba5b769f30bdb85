package main

func Example_main() {
	main()
	// Output:
	// DescribeZones: 7 zones, after 3 attempts
	// StopInstances: tencenthttp: api error InvalidInstanceId.NotFound: The instance does not exist. (RequestId 00000001-0000-4000-8000-000000000004)
	//   code InvalidInstanceId.NotFound, message "The instance does not exist."
}
