public class HelloWorld {
	public static void main(String[] arguments) {
		System.out.println("Hello, world");
		System.exit(8);
	}
}
